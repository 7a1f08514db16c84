import { expect, test } from 'vitest';
import { addRelease, parseChangeset } from './changelog.ts';

const changeset = (packages: string, summary: string): string => `---\n${packages}\n---\n\n${summary}\n`;

test.each([
  ["'@holdfast/core': patch", 'patch'],
  ['"@holdfast/core": minor\n"@holdfast/rpc": patch', 'minor'],
  ["'@holdfast/core': patch\n'@holdfast/rpc': major", 'major'],
])('of %j the largest size counts', (packages, size) => {
  expect(parseChangeset(changeset(packages, 'Words.'), 'a.md')).toEqual({ size, summary: 'Words.' });
});

test.each([
  ['no lines', 'a.md is not a changeset'],
  [changeset('', 'Words.'), 'a.md names no package'],
  [changeset("'@holdfast/core': patch", ''), 'a.md tells users nothing'],
])('%j is refused', (text, message) => {
  expect(() => parseChangeset(text, 'a.md')).toThrow(message);
});

test('a release stands before the older ones, with what breaks first', () => {
  const changes = [
    { size: 'patch', summary: 'Mended it.' },
    { size: 'major', summary: 'Took it away.\n\nUse the other.' },
  ] as const;
  const release = { version: '0.2.0', date: '2030-01-02', changes };
  expect(addRelease('# Changelog\n\nFor users.\n\n## 0.1.0 (2029-01-01)\n\n- First.\n', release)).toBe(
    '# Changelog\n\nFor users.\n\n## 0.2.0 (2030-01-02)\n\n### What breaks\n\n- Took it away.\n\n  Use the other.\n\n' +
      '### Mended\n\n- Mended it.\n\n## 0.1.0 (2029-01-01)\n\n- First.\n',
  );
});
