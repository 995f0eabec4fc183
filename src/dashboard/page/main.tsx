/** The page begins. */

import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import { App } from './app.js'
import './styles/theme.css'
import './styles/controls.css'
import './styles/layout.css'
import './styles/ring-and-nodes.css'
import './styles/cards.css'
import './styles/time.css'
import './styles/narrow.css'
import { applyTheme, currentTheme } from './theme.js'

applyTheme(currentTheme())
const root = document.getElementById('root')
if (root !== null) render(<App />, root)
