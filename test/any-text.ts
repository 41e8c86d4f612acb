import fc from "fast-check";

/** Any sequence of UTF-16 units, halves of characters among them; and plain text, so that not all of it is exotic. */
export function anyText(maxLength = 30): fc.Arbitrary<string> {
  const units = fc.array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd7f0, max: 0xe00f }), fc.nat(0x7f)), { maxLength });
  return fc.oneof(
    units.map((codes) => String.fromCharCode(...codes)),
    fc.string({ maxLength }),
  );
}
