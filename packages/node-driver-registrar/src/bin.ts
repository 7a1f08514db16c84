#!/usr/bin/env node
import { keepHeapSmall } from '@holdfast/sidecar';
import { main } from './main.ts';

keepHeapSmall();
process.exit(await main(process.argv.slice(2)));
