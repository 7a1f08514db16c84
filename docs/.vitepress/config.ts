import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';

const docs = join(import.meta.dirname, '..');

/** The pages of a folder, by the title each begins with. */
function pagesOf(folder: string): { text: string; link: string }[] {
  return readdirSync(join(docs, folder))
    .filter((name) => name.endsWith('.md'))
    .toSorted()
    .map((name) => ({
      text: /^# (.*)$/m.exec(readFileSync(join(docs, folder, name), 'utf8'))?.[1] ?? name,
      link: `/${folder}/${name.slice(0, -'.md'.length)}`,
    }));
}

export default defineConfig({
  title: 'Holdfast',
  description: 'A CSI stack for Kubernetes, written wholly in TypeScript',
  cleanUrls: true,
  markdown: {
    // A name such as <backend> is text.
    html: false,
    config(markdown) {
      // Of a file of the repository that is no page here, the name remains.
      markdown.core.ruler.push('links-out-of-docs', ({ tokens }) => {
        for (const { children } of tokens) {
          let isOutside = false;
          for (const token of children ?? []) {
            if (token.type === 'link_open')
              isOutside = /^\.\.\/(\.\.\/)?(packages|deploy|tools|[A-Z]+\.md)/.test(token.attrGet('href') ?? '');
            if (!isOutside) continue;
            if (token.type === 'link_open' || token.type === 'link_close') token.hidden = true;
            if (token.hidden) Object.assign(token, { type: 'text', content: '', tag: '', attrs: null, nesting: 0 });
          }
        }
      });
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Quick start', link: '/quick-start' },
      { text: 'Install', link: '/install' },
      { text: 'Swap', link: '/swap' },
    ],
    sidebar: [
      {
        text: 'Use',
        items: [
          { text: 'Quick start', link: '/quick-start' },
          { text: 'Install', link: '/install' },
          { text: 'Swap from Go and back', link: '/swap' },
          { text: 'When something is stuck', link: '/troubleshooting' },
          { text: 'What goes wrong, and what happens then', link: '/faults' },
          { text: 'What goes wrong', link: '/faults' },
          { text: 'Security', link: '/security' },
        ],
      },
      {
        text: 'Drivers',
        items: [
          { text: 'Write a driver', link: '/write-a-driver' },
          { text: 'What the driver can do', link: '/driver-features' },
        ],
      },
      {
        text: 'Beside the Go programs',
        items: [
          { text: 'Benchmarks', link: '/benchmarks' },
          { text: 'Differences', link: '/differences' },
          { text: 'Sandbox and kube-apiserver', link: '/sandbox-differences' },
        ],
      },
      { text: 'Flags', collapsed: true, items: pagesOf('flags') },
      {
        text: 'How it is built',
        collapsed: true,
        items: [{ text: 'Architecture', link: '/architecture' }, ...pagesOf('adr')],
      },
    ],
  },
});
