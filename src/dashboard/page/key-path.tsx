/** One key's way: slot, partition, preference list, and what each replica's own store holds of it. */

import { useEffect, useState } from 'preact/hooks'
import { act, type KeyVersions, type Replica, versionsOf } from './actions.js'
import { bytes, clockWithMs } from './format.js'

interface KeyPathProps {
  readonly token: string | undefined
  /** When the newest frame was, whatever moment is shown: once a second it is looked up anew. */
  readonly tick: number
  /** The page shows a past moment. Versions are not recorded, so that these are still those of now. */
  readonly isPast: boolean
  readonly onPartition: (partition: number | undefined) => void
}

/** Between two looks. */
const LOOK_MS = 1_000

export function KeyPath({ token, tick, isPast, onPartition }: KeyPathProps) {
  const [key, setKey] = useState('')
  const [sought, setSought] = useState<string | undefined>(undefined)
  const [value, setValue] = useState('')
  const [found, setFound] = useState<KeyVersions | undefined>(undefined)
  const [said, setSaid] = useState('')

  const look = async (wanted: string) => {
    try {
      const versions = await versionsOf(wanted)
      setFound(versions)
      setSaid('')
      return versions
    } catch (error) {
      setSaid((error as Error).message)
      return undefined
    }
  }
  const second = Math.floor(tick / LOOK_MS)
  // Once a second.
  useEffect(() => {
    if (sought !== undefined) void look(sought)
  }, [second, sought])

  const onLook = async (event: Event) => {
    event.preventDefault()
    if (key === '') return
    setSought(key)
    onPartition((await look(key))?.partition)
  }
  const onChange = async (name: 'put' | 'delete') => {
    if (token === undefined || sought === undefined) return
    try {
      await act(token, name, name === 'put' ? { key: sought, value } : { key: sought })
      await look(sought)
    } catch (error) {
      setSaid((error as Error).message)
    }
  }
  return (
    <div class="key-path">
      <form onSubmit={onLook}>
        <label>
          key
          <input
            name="key"
            value={key}
            placeholder="user:7"
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="main">
          follow
        </button>
      </form>
      {said !== '' && (
        <p class="verdict bad" role="alert">
          {said}
        </p>
      )}
      {found !== undefined && sought !== undefined && (
        <>
          <ol class="way" aria-label={`The way of ${sought}`}>
            <li>
              <span>key</span> <b>{sought}</b>
            </li>
            <li>
              <span>slot</span> <b data-way="slot">{found.slot}</b>
            </li>
            <li>
              <span>partition</span>{' '}
              <button type="button" class="link" data-way="partition" onClick={() => onPartition(found.partition)}>
                {found.partition}
              </button>
            </li>
            <li>
              <span>preference list</span> <b data-way="owners">{found.owners.join(', ')}</b>
            </li>
          </ol>
          {isPast && <p class="quiet">This is now, not the moment that is shown: versions are not recorded.</p>}
          <Replicas replicas={found.replicas} />
          {token !== undefined && (
            <div class="change">
              <label>
                value
                <input name="value" value={value} onInput={(event) => setValue(event.currentTarget.value)} />
              </label>
              <button type="button" onClick={() => onChange('put')}>
                put
              </button>
              <button type="button" onClick={() => onChange('delete')}>
                delete
              </button>
            </div>
          )}
        </>
      )}
      {found === undefined && said === '' && (
        <p class="quiet">Shows where a key lives and which version each of its replicas has, now and every second.</p>
      )}
    </div>
  )
}

function Replicas({ replicas }: { readonly replicas: readonly Replica[] }) {
  const newest = replicas
    .flatMap(({ versions }) => versions[0]?.stamp ?? [])
    .sort()
    .at(-1)
  return (
    <table class="replicas">
      <thead>
        <tr>
          <th scope="col">replica</th>
          <th scope="col">version</th>
          <th scope="col">written</th>
          <th scope="col" class="number">
            value
          </th>
        </tr>
      </thead>
      <tbody>
        {replicas.flatMap((replica) => {
          const { node, role, versions } = replica
          const name = role === 'owner' ? node : `${node} (${role})`
          if (versions.length === 0)
            return [
              <tr key={node} data-replica={node}>
                <th scope="row">{name}</th>
                <td colSpan={3} class={replica.answered && !replica.damaged ? 'quiet' : 'verdict bad'}>
                  {replica.damaged ? 'damaged' : replica.answered ? 'nothing' : 'no answer'}
                </td>
              </tr>,
            ]
          return versions.map(({ stamp, at, valueBytes }, index) => (
            <tr key={`${node} ${stamp}`} data-replica={node} data-stamp={stamp}>
              <th scope="row">{index === 0 ? name : ''}</th>
              <td class={stamp === newest ? 'verdict good' : 'verdict warning'} title={stamp}>
                {stamp === newest ? '● newest' : '▲ older'}
              </td>
              <td>{clockWithMs(Date.parse(at))}</td>
              <td class="number">{valueBytes === null ? 'deleted' : bytes(valueBytes)}</td>
            </tr>
          ))
        })}
      </tbody>
    </table>
  )
}
