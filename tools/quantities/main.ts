// `npm run test:quantities`: whether the answers of Go's resource.Quantity that packages/core is tested against are those that
// k8s.io/apimachinery gives. With `-- --write` they become so.
import { compareAnswers } from '../reference/answers.ts';

process.exitCode = await compareAnswers({
  program: 'quantity-answers',
  name: 'quantities',
  fixture: 'packages/core/src/testing/go-quantities.jsonl.gz',
  args: process.argv.slice(2),
});
