/** The 64-bit FNV-1a hash by which YCSB scatters popular records over all of them. In halves of 32 bits: BigInt would take a hundred times as long. */

const OFFSET_BASIS_HIGH = 0xcbf29ce4
const OFFSET_BASIS_LOW = 0x84222325
/** The prime is 2⁴⁰ + this. */
const PRIME_LOW = 0x1b3
const TWO_32 = 4_294_967_296

/**
 * `abs(fnv1a64(value)) mod modulus`, of the eight bytes of a whole number, as `Utils.fnvhash64` of YCSB.
 *
 * Shape: value in 0 … 2⁵³ − 1; modulus in 1 … 2²⁶, so that every product stays exact.
 */
export function fnvHashModulo(value: number, modulus: number): number {
  let high = OFFSET_BASIS_HIGH
  let low = OFFSET_BASIS_LOW
  let rest = value
  for (let byte = 0; byte < 8; byte++) {
    low = (low ^ (rest % 256)) >>> 0
    rest = Math.floor(rest / 256)
    // hash · (2⁴⁰ + 0x1b3) mod 2⁶⁴: the first term only moves the low half up by eight bits.
    const product = low * PRIME_LOW
    high = (Math.imul(high, PRIME_LOW) + Math.floor(product / TWO_32) + (low << 8)) >>> 0
    low = product % TWO_32
  }
  if (high >= 0x80000000) {
    // Negative as a Java long: two's complement.
    low = (~low + 1) >>> 0
    high = (~high + (low === 0 ? 1 : 0)) >>> 0
  }
  return ((high % modulus) * (TWO_32 % modulus) + (low % modulus)) % modulus
}
