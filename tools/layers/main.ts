import { join } from 'node:path';
import { checkHouse } from './check.ts';

const problems = checkHouse(join(import.meta.dirname, '..', '..', 'packages'));
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} imports point the wrong way; docs/architecture.md says which way is right.`);
  process.exitCode = 1;
}
