/** The page begins. */

import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import { App } from './app.js'
import './page.css'
import { applyTheme, currentTheme } from './theme.js'

applyTheme(currentTheme())
const root = document.getElementById('root')
if (root !== null) render(<App />, root)
