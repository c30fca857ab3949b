/**
 * The candidate that `word` was most likely meant to be, for "did you mean"; undefined when none is near.
 * Near is at most one mistake (a letter too many, too few, wrong, or two exchanged) per three letters;
 * upper case, hyphens and spaces are no mistakes. Failing that, a candidate that begins with the word, if
 * that has three letters or more. Of equally near candidates the first wins.
 */
export function closestWord(word: string, known: Iterable<string>): string | undefined {
  const candidates = [...known];
  const wanted = normalise(word.slice(0, 64));
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, normalise(candidate));
    if (distance >= bestDistance || distance >= candidate.length) continue;
    best = candidate;
    bestDistance = distance;
  }
  return (
    best ?? candidates.find((candidate) => wanted.length >= 3 && normalise(candidate).startsWith(wanted))
  );
}

function normalise(word: string): string {
  return word.toLowerCase().replace(/[-\s]/g, '_');
}

/** Optimal string alignment distance: insertions, deletions, substitutions, exchanges of neighbours. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (exchanged) cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
