/**
 * A scrape, read by the rules of Prometheus' text format (0.0.4) and nothing that the metrics know of themselves: HELP and TYPE before the
 * samples of a family, no family twice, no line that the format does not have. Called by tests.
 */

import type { PrometheusMetrics } from '../../src/observe.js'

type Labels = Readonly<Record<string, string>>

interface Sample {
  /** Behind the family's name: `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix: string
  readonly labels: Labels
  readonly value: number
}

interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: Sample[]
}

const COMMENT = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|[+-]Inf|NaN)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y

export class Exposition {
  readonly families: Family[] = []

  constructor(readonly body: string) {
    if (!body.endsWith('\n')) throw new Error('the last line does not end')
    let help: { readonly name: string; readonly text: string } | undefined
    for (const line of body.split('\n')) {
      if (line === '') continue
      const [, kind, name = '', text = ''] = COMMENT.exec(line) ?? []
      if (kind === 'HELP') help = { name, text }
      else if (kind === 'TYPE') this.#begin(name, text, help?.name === name ? help.text : '')
      else this.#add(line)
    }
  }

  static async of(metrics: PrometheusMetrics): Promise<Exposition> {
    return new Exposition((await metrics.text()).body)
  }

  family(name: string): Family {
    const found = this.families.find((family) => family.name === name)
    if (found === undefined) throw new Error(`no metric ${name}`)
    return found
  }

  /** NaN: there is no such sample. */
  value(name: string, labels: Labels = {}, suffix = ''): number {
    const wanted = Object.entries(labels)
    const found = this.family(name).samples.find(
      (sample) => sample.suffix === suffix && wanted.every(([label, value]) => sample.labels[label] === value),
    )
    return found?.value ?? Number.NaN
  }

  /** The value of each value of a label. */
  byLabel(name: string, label: string, suffix = ''): Record<string, number> {
    const samples = this.family(name).samples.filter((sample) => sample.suffix === suffix)
    return Object.fromEntries(samples.map(({ labels, value }) => [labels[label] ?? '', value]))
  }

  #begin(name: string, type: string, help: string): void {
    if (this.families.some((family) => family.name === name)) throw new Error(`${name} is there twice`)
    if (!['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(type)) throw new Error(`${name}: ${type}`)
    this.families.push({ name, type, help, samples: [] })
  }

  #add(line: string): void {
    const [, name = '', labelsText = '', value = ''] = SAMPLE.exec(line) ?? []
    const family = this.families.at(-1)
    const suffix = name.slice(family?.name.length ?? 0)
    const isOurs = family !== undefined && name.startsWith(family.name)
    const suffixes = family?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    if (!isOurs || !suffixes.includes(suffix)) throw new Error(`not of the family before it: ${line}`)
    const labels = labelsIn(labelsText, line)
    const id = JSON.stringify([suffix, Object.entries(labels).sort()])
    if (family.samples.some((sample) => JSON.stringify([sample.suffix, Object.entries(sample.labels).sort()]) === id))
      throw new Error(`twice: ${line}`)
    family.samples.push({ suffix, labels, value: Number(value.replace('Inf', 'Infinity')) })
  }
}

function labelsIn(text: string, line: string): Labels {
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < text.length) {
    const [, name = '', value] = LABEL.exec(text) ?? []
    if (value === undefined || name in labels) throw new Error(`labels: ${line}`)
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped))
  }
  return labels
}
