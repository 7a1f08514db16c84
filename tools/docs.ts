// `npm run docs`: the site of docs/, into docs/.vitepress/dist. `-- --watch` serves it while you write. A link to a page that is
// not there fails it. Its packages are its own, so that nobody else has to install them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const docs = join(import.meta.dirname, '..', 'docs');
const [mode, ...rest] = process.argv.slice(2);
if (rest.length > 0 || (mode !== undefined && mode !== '--watch')) {
  console.error('docs: there is only --watch');
  process.exit(2);
}

function run(file: string, args: readonly string[]): void {
  const { status, error } = spawnSync(file, [...args], { cwd: docs, stdio: 'inherit' });
  if (status === 0) return;
  console.error(`docs: ${error?.message ?? `${file} ${args.join(' ')} failed`}`);
  process.exit(1);
}

run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
run(join(docs, 'node_modules', '.bin', 'vitepress'), [mode === undefined ? 'build' : 'dev', '.']);
