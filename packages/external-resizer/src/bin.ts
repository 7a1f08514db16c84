#!/usr/bin/env node
import { keepHeapSmall } from '@holdfast/sidecar';
import { main } from './main.ts';

keepHeapSmall();

// Exits by itself: a request that is still being given up must not hold the process.
process.exit(await main(process.argv.slice(2)));
