// Writes the one format. `npm test` checks it.
import { spawnSync } from 'node:child_process';

const result = spawnSync('biome', ['check', '--write', '.'], { stdio: 'inherit' });
process.exitCode = result.status ?? 1;
