import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VarintReader, VarintWriter } from '../../src/page/varints.ts';

test('numbers come back as they were, up to 2^53 and of either sign', () => {
  const whole = fc.maxSafeNat();
  // Twice as large must be a safe integer too.
  const signed = fc.integer({ min: -(2 ** 51), max: 2 ** 51 });
  fc.assert(
    fc.property(fc.array(fc.tuple(whole, signed)), (pairs) => {
      const writer = new VarintWriter();
      for (const [unsigned, either] of pairs) {
        writer.put(unsigned);
        writer.putSigned(either);
      }
      const reader = new VarintReader(writer.bytes());
      const back: [number, number][] = [];
      while (!reader.done) back.push([reader.next(), reader.nextSigned()]);
      expect(back).toEqual(pairs);
    }),
  );
});

test('small numbers take one byte', () => {
  const writer = new VarintWriter();
  writer.put(127);
  writer.putSigned(-64);
  expect([...writer.bytes()]).toEqual([127, 127]);
  writer.put(128);
  expect([...writer.bytes().subarray(2)]).toEqual([0x80, 1]);
});
