import { parseAllDocuments } from 'yaml';
import * as z from 'zod';

const workload = z.looseObject({
  kind: z.enum(['Deployment', 'DaemonSet']),
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({ containers: z.array(z.looseObject({ name: z.string(), image: z.string() })) }),
    }),
  }),
});

/** The images of a rendered chart, sorted, each once. */
export function imagesOf(rendered: string): string[] {
  const images = parseAllDocuments(rendered).flatMap((document) => {
    const read = workload.safeParse(document.toJS());
    return read.success ? read.data.spec.template.spec.containers.map(({ image }) => image) : [];
  });
  return [...new Set(images)].toSorted();
}
