import { html } from './elements.ts'
import type { Trip } from './trip.ts'

const stepMs = 200
const travelMs = 12_000

/** How far this phone has come, from 0 to 1: a slider to be drawn, or left to itself. */
export function createJourneyView({ from, to }: Trip, onMove: (part: number) => void): HTMLElement {
  const slider = html('input', {
    type: 'range',
    min: 0,
    max: 1,
    step: 0.01,
    value: 0,
    'aria-label': `How far you have come from ${from.city ?? from.iata} to ${to.city ?? to.iata}`,
  })
  const button = html('button', { type: 'button', 'aria-pressed': 'false' }, 'Travel')
  let timer: ReturnType<typeof setInterval> | undefined

  function move(part: number): void {
    slider.valueAsNumber = part
    onMove(slider.valueAsNumber)
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
    button.setAttribute('aria-pressed', 'false')
    button.textContent = 'Travel'
  }

  function travel(): void {
    if (slider.valueAsNumber === 1) move(0)
    button.setAttribute('aria-pressed', 'true')
    button.textContent = 'Rest'
    timer = setInterval(() => {
      move(slider.valueAsNumber + stepMs / travelMs)
      if (slider.valueAsNumber === 1) stop()
    }, stepMs)
  }

  slider.addEventListener('input', () => onMove(slider.valueAsNumber))
  button.addEventListener('click', () => (timer === undefined ? travel() : stop()))
  return html('div', { class: 'journey' }, html('span', {}, from.iata), slider, html('span', {}, to.iata), button)
}
