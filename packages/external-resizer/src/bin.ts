import { main } from './main.ts';

// Exits by itself: a request that is still being given up must not hold the process.
process.exit(await main(process.argv.slice(2)));
