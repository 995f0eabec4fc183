/** The version, for the command. */

export { version } from '../shared/version.js'
