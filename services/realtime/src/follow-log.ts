import { catchUp, publish } from './broadcast/publish.ts'
import { createChangeStore } from './changes/change-store.ts'
import { createChangeFanOut } from './changes/fan-out.ts'
import type { Channels } from './channels/create-channels.ts'
import { createDeliveryLag } from './channels/delivery-lag.ts'
import { createFollowChanges } from './channels/follow-changes.ts'
import type { RealtimeDeps } from './deps.ts'
import { isMessages, readMessage } from './messages/read-message.ts'

/** Passes what the log has on to channels: messages of the database, and changes of rows. */
export function followLog(
  { clock, logger, metrics, options, onMerged }: RealtimeDeps & { readonly onMerged: () => void },
  { reader, database, onSchemaChanged }: NonNullable<RealtimeDeps['changes']>,
  channelsOf: () => Channels,
) {
  const checks = metrics
    .counter({
      name: 'realtime_policy_checks_total',
      help: 'Callers that Postgres was asked about for a change.',
      labels: [],
    })
    .series({})
  const replays = metrics.counter({
    name: 'realtime_replays_total',
    help: 'Times that the log was asked for what somebody missed, and had it (found) or went back too short (too_old).',
    labels: ['outcome'],
  })
  const lag = metrics
    .histogram({
      name: 'realtime_delivery_lag_seconds',
      help: 'From the commit of a change of a row to the first socket that it is put on.',
      labels: [],
      buckets: lagBuckets,
    })
    .series({})
  const fanOut = createChangeFanOut({
    port: createChangeStore({ database, publication }),
    clock,
    options,
    observe: (observation) => {
      if (observation.kind === 'checked') checks.add(observation.callers)
      else logger.warn({ ...observation }, 'a change could not be checked')
    },
  })
  const follow = createFollowChanges({
    fanOut,
    reader,
    catchUp: (member, missed) => catchUp(channelsOf().publishing, member, missed),
    onReplayed: (outcome) => replays.series({ outcome }).add(),
    onMerged,
    onFailed: (error) => logger.warn({ err: error }, 'a subscription to changes failed'),
    lag: createDeliveryLag(clock, lag.observe),
    waitMsMax: options.changesWaitMax,
  })
  const stops = [
    onSchemaChanged(() => {
      fanOut.forget()
      fanOut
        .refuseElsewhere()
        .catch((error: unknown) => logger.warn({ err: error }, 'who follows could not be checked'))
    }),
    reader.subscribe({
      onTransaction: (transaction) => {
        // Policies may be others from this commit on.
        if (transaction.notices.includes('pando.schema')) fanOut.forget(transaction.xid)
        const { topics, publishing } = channelsOf()
        for (const change of transaction.changes) {
          const message = isMessages(change.relation) ? readMessage(change) : undefined
          const topic = message && topics.find(message.topic, message.isPrivate)
          if (topic !== undefined) publish(publishing, topic, message!.sent)
        }
        fanOut.onTransaction(transaction)
      },
      onReset: (reason) => {
        fanOut.restart()
        follow.loseAll(channelsOf().topics.members(), reason)
      },
    }),
  ]
  return { follow, stop: () => stops.forEach((stop) => stop()) }
}

/** Seconds. */
const lagBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 30]

/** Whose rows people may follow; users add tables to it. */
const publication = 'supabase_realtime'
