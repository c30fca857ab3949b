// Given to `node --import`: as if DuckDB had not been installed, or without its binary for this platform.
import { register } from 'node:module';

register(
  `data:text/javascript,${encodeURIComponent(`
    export function resolve(specifier, context, next) {
      if (specifier !== '@duckdb/node-api') return next(specifier, context);
      const missing = '${process.env.WITHOUT_BINARY ? '@duckdb/node-bindings-any/duckdb.node' : '@duckdb/node-api'}';
      throw Object.assign(new Error("Cannot find package '" + missing + "'"), { code: 'ERR_MODULE_NOT_FOUND' });
    }`)}`,
);
