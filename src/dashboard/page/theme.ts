/** Light or dark: as the system has it, until somebody chooses; then as chosen, here and at the next visit. */

export type Theme = 'light' | 'dark'

const STORED = 'coterie-theme'

export function currentTheme(): Theme {
  const stored = localStorage.getItem(STORED)
  if (stored === 'light' || stored === 'dark') return stored
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(STORED, theme)
  applyTheme(theme)
}

/** Until somebody has chosen, the system's changes are followed. */
export function onSystemTheme(listener: (theme: Theme) => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    if (localStorage.getItem(STORED) === null) listener(currentTheme())
  })
}
