import type { FileExporter } from './exporters.ts';

export const exportTrace: FileExporter['exportTrace'] = () => {};
