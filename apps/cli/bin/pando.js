#!/usr/bin/env node
// Starts src/main.ts with the Node that this checkout pins (npm package `node`), whichever Node (≥ 20) runs this file.
// When the running Node is new enough, as it is under `npx` and npm scripts, there is no second process.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const nodeMajorMin = 26

if (Number.parseInt(process.versions.node, 10) >= nodeMajorMin) {
  module.enableCompileCache?.(fileURLToPath(new URL('../../../node_modules/.cache/pando', import.meta.url)))
  await import('../src/main.ts')
} else {
  const node = findPinnedNode()
  if (node === undefined) {
    console.error(
      `Pando needs Node ${nodeMajorMin}; this is ${process.version}, and the pinned one (npm package "node") is not installed.\n` +
        'Run `npm install` in the checkout (install scripts of the package "node" must be allowed), then try again.',
    )
    process.exitCode = 1
  } else {
    rerunWith(node)
  }
}

/** The executable inside the npm package `node`, or undefined when its install script did not run. */
function findPinnedNode() {
  try {
    const folder = dirname(module.createRequire(import.meta.url).resolve('node/package.json'))
    const file = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(file) ? file : undefined
  } catch {
    return undefined
  }
}

/**
 * Becomes a transparent shell around the child: same terminal, same signals, same end. The IPC channel carries no
 * message; it closes when this process dies, however it dies, and then the child stops too.
 */
function rerunWith(node) {
  const child = spawn(node, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    // A terminal sends Ctrl-C to the child as well; the child takes two signals in quick succession for one.
    process.on(signal, () => child.kill(signal))
  }
  child.on('error', (error) => {
    console.error(`Pando could not start ${node}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0)
  })
}
