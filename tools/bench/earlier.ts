import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { ArgumentError } from './arguments.ts';
import { type Measurement, units } from './measurement.ts';

const results = z.object({
  measurements: z.array(
    z.object({
      section: z.string(),
      name: z.string(),
      unit: z.enum(units),
      maker: z.enum(['ours', 'upstream']),
      run: z.number().int().min(1),
      value: z.number(),
    }),
  ),
});

/** What runs with --json have written, but for sections that are measured anew. @throws ArgumentError that names the file */
export function readEarlier(files: readonly string[], measured: readonly Measurement[]): Measurement[] {
  const sections = new Set(measured.map(({ section }) => section));
  return files.flatMap((file) => {
    let text: unknown;
    try {
      text = JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      throw new ArgumentError(
        `--with=${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    const read = results.safeParse(text);
    if (!read.success) throw new ArgumentError(`--with=${file} is not what npm run bench -- --json prints`);
    return read.data.measurements.filter(({ section }) => !sections.has(section));
  });
}
