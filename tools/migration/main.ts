// `npm run test:migration`: whether the answers of k8s.io/csi-translation-lib that packages/migration is tested against are those
// that the library gives. With `-- --write` they become so.
import { compareAnswers } from '../reference/answers.ts';

process.exitCode = await compareAnswers({
  program: 'migration-answers',
  name: 'migration',
  fixture: 'packages/migration/src/testing/go-answers.jsonl.gz',
  args: process.argv.slice(2),
});
