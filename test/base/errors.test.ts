import { describe, expect, test } from 'vitest';
import { UserError, UserErrors } from '../../src/base/errors.ts';

describe('a mistake of the user', () => {
  const at = (line: number) => ({ file: 'x.yaml', line, column: 3 });

  test('begins with its position and ends with the hint', () => {
    const error = new UserError('bad-cap', 'the cap is -1', { position: at(7), hint: '0 is none' });
    expect(error).toMatchObject({ name: 'UserError', code: 'bad-cap', position: at(7), hint: '0 is none' });
    expect(error.message).toBe('x.yaml:7:3: the cap is -1 (0 is none)');
  });

  test('stands for all others of its file where it is the first', () => {
    const errors = [
      new UserError('bad-cap', 'the cap is -1', { position: at(7) }),
      new UserError('bad-weight', 'the weight is 0', { position: at(9) }),
    ];
    const all = new UserErrors(errors);
    expect(all).toBeInstanceOf(UserError);
    expect(all).toMatchObject({ code: 'bad-cap', position: at(7), errors });
    expect(all.message).toBe('x.yaml:7:3: the cap is -1\nx.yaml:9:3: the weight is 0');
  });
});
