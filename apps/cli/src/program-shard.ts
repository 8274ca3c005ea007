import type { Command } from 'commander'

import type { GlobalOptions } from './cli.ts'
import { command, examples } from './program-command.ts'

/** The commands below `pando shard`. */
export type ShardInvocation =
  | { readonly command: 'shard plan' | 'shard status'; readonly args: GlobalOptions }
  | { readonly command: 'shard apply'; readonly args: GlobalOptions & { yes?: boolean } }

type Run = (invocation: ShardInvocation) => Promise<void>

export function addShardCommands(program: Command, run: Run): void {
  const shard = program.command('shard').description('spread tables over the servers of a Citus cluster, by [shard]')
  shard.addHelpText('after', examples(['pando shard plan', 'pando shard apply --yes', 'pando shard status']))
  command(shard, 'plan', 'say where each table goes, why, and what stands in the way; needs no Citus', [
    'pando shard plan',
    'pando shard plan --json | jq .statements',
  ]).action((_, self: Command) => run({ command: 'shard plan', args: self.optsWithGlobals() }))
  command(shard, 'apply', 'carry out the plan; goes on where it was stopped', [
    'DATABASE_URL=postgres://… pando shard apply',
    'pando shard apply --yes',
  ])
    .option('--yes', 'do not ask')
    .action((_, self: Command) => run({ command: 'shard apply', args: self.optsWithGlobals() }))
  command(shard, 'status', 'show tables, shards and servers, and whether they are in balance', [
    'pando shard status --json',
  ]).action((_, self: Command) => run({ command: 'shard status', args: self.optsWithGlobals() }))
}
