import { secretOf } from '@pando/config/secret'
import { expect, test } from 'vitest'
import { createCaptcha } from '../captcha/create-captcha.ts'
import { createBreachCheck, isListed } from './create-breach-check.ts'

const options = {
  passwordHibpEnabled: true,
  passwordHibpFailClosed: false,
  // Nobody listens there.
  passwordHibpUrl: 'http://127.0.0.1:1',
  passwordHibpTimeout: 1000,
}

const ignore = (): void => undefined

test('a hash is listed when it was seen, whatever the case and the line ends; padding is not', () => {
  const range = '0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n00D4F6E8FA6EECAD2A3AA415EEC418D38EC:0\r\n'
  expect(isListed(range, '0018A45C4D1DEF81644B54AB7F969B88D65')).toBe(true)
  expect(isListed(range.toLowerCase(), '0018A45C4D1DEF81644B54AB7F969B88D65')).toBe(true)
  expect(isListed(range, '00D4F6E8FA6EECAD2A3AA415EEC418D38EC')).toBe(false)
  expect(isListed(range, '0018A45C4D1DEF81644B54AB7F969B88D6')).toBe(false)
  expect(isListed('', '')).toBe(false)
})

test('without an answer a password passes with a warning, or is refused where that was asked for', async () => {
  const warnings: unknown[] = []
  expect(await createBreachCheck(options, (error) => warnings.push(error))!('x')).toBe(false)
  expect(warnings).toHaveLength(1)
  const closed = createBreachCheck({ ...options, passwordHibpFailClosed: true }, ignore)!
  await expect(closed('x')).rejects.toMatchObject({ status: 500 })
})

test('what is off is not there, and captchas without a secret do not start', () => {
  expect(createBreachCheck({ ...options, passwordHibpEnabled: false }, ignore)).toBeUndefined()
  const captcha = { captchaProvider: 'turnstile', captchaUrl: null, captchaTimeout: 1000, captchaSecret: null } as const
  expect(createCaptcha({ ...captcha, captchaEnabled: false }, ignore)).toBeUndefined()
  expect(() => createCaptcha({ ...captcha, captchaEnabled: true }, ignore)).toThrow(/PANDO_AUTH_CAPTCHA_SECRET/)
  expect(() => createCaptcha({ ...captcha, captchaEnabled: true, captchaSecret: secretOf(' ') }, ignore)).toThrow(
    /SECRET/,
  )
})
