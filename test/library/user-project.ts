import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { API, type Project } from 'typescript/unstable/sync';

export const ROOT = resolve(import.meta.dirname, '../..');

/** A project of somebody who has installed xenscope: what `npm run build` made, seen from outside. */
export interface UserProject {
  readonly folder: string;
  /** Type-checks the files of the project, by name, as strictly as TypeScript can. */
  compile(files: Readonly<Record<string, string>>): Project;
  remove(): void;
}

export function createUserProject(): UserProject {
  const folder = mkdtempSync(join(tmpdir(), 'xenscope-library-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/xenscope'));
  symlinkSync(join(ROOT, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const compilers: API[] = [];
  return {
    folder,
    compile(files) {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      const config = join(folder, 'tsconfig.json');
      const compilerOptions = {
        ...{ target: 'es2023', module: 'nodenext', types: ['node'], noEmit: true, skipLibCheck: true },
        ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: false },
      };
      writeFileSync(config, JSON.stringify({ compilerOptions, files: Object.keys(files) }));
      const compiler = new API({ cwd: folder });
      compilers.push(compiler);
      return compiler.updateSnapshot({ openProjects: [config] }).getProject(config)!;
    },
    remove() {
      for (const compiler of compilers) compiler.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
