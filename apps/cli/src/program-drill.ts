import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'

import { balancers } from '@pando/server/testing/balancer'

import type { GlobalOptions } from './cli.ts'
import type { DrillOptions } from './commands/drill.ts'
import { command } from './program-command.ts'

export type DrillInvocation = { readonly command: 'drill'; readonly args: DrillOptions }

/** `pando drill` as commander sees it. */
export function addDrillCommand(program: Command, run: (invocation: DrillInvocation) => Promise<void>): void {
  command(program, 'drill', 'do something bad to a fleet under load, and see which promises are kept', [
    'pando drill kill-node',
    'pando drill spike rolling-restart --nodes 3 --seconds 20 --json',
    "pando drill spike --url https://staging.example.com --key sb_publishable_… --read '/rest/v1/posts?limit=20' --rate 50",
  ])
    .argument('<drill...>', 'spike, bad-phones, kill-node, slow-database, lose-redis, rolling-restart, kill-primary')
    .addOption(whole('--nodes <number>', 'nodes behind the gateway', 3, 64))
    .addOption(whole('--seconds <number>', 'how long each part takes', 10, 3600))
    .addOption(whole('--rounds <number>', 'how often the bad thing happens', 1, 10_000))
    .addOption(
      new Option('--balancer <program>', 'what is in front of the nodes, in the place of our gateway').choices(
        balancers,
      ),
    )
    .addOption(whole('--connections <number>', 'of phones that do nothing, for bad-phones', 10_000, 50_000))
    .addOption(whole('--seed <number>', 'the same seed makes the same requests in the same order', 1, 2 ** 31))
    .option('--url <address>', 'an installation that runs elsewhere; for spike alone')
    .option('--key <key>', 'with --url: the API key to ask with')
    .option('--read <path>', 'with --url: what is read, such as /rest/v1/posts?limit=20')
    .option(
      '--table <name>',
      'with --url: a table with a column id (uuid), which gets rows; none is written without it',
    )
    .addOption(new Option('--rate <number>', 'with --url: requests a second at × 1').argParser(parseWhole(1_000_000)))
    .action((names: string[], _, self: Command) =>
      run({
        command: 'drill',
        args: { ...self.optsWithGlobals<GlobalOptions & Omit<DrillOptions, 'names'>>(), names },
      }),
    )
}

const whole = (flags: string, text: string, usual: number, most: number): Option =>
  new Option(flags, text).argParser(parseWhole(most)).default(usual)

const parseWhole =
  (most: number) =>
  (text: string): number => {
    const number = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN
    if (number <= most) return number
    throw new InvalidArgumentError(`That is a whole number from 1 to ${most}.`)
  }
