import type { BooleanOption, DurationOption, IntegerOption, ListOption } from '@pando/config/option'

/** Codes in text messages, and what a new password asks for. Those of mails stand beside the other options of mails. */
export const oneTimeOptions = {
  emailSecurePasswordChange: {
    type: 'boolean',
    default: false,
    toml: 'auth.email.secure_password_change',
    text: 'Whether a new password needs a code by mail (or text message) when the session is older than a day.',
  },
  emailRequireCurrentPassword: {
    type: 'boolean',
    default: false,
    toml: 'auth.email.require_current_password',
    text: 'Whether a new password needs the one before, as `current_password`, unless the session began with a forgotten password.',
  },
  smsFrequency: {
    type: 'duration',
    default: 60_000,
    min: 0,
    toml: 'auth.sms.max_frequency',
    text: 'Shortest time between two text messages of a kind to one number.',
  },
  smsOtpLength: {
    type: 'integer',
    default: 6,
    min: 6,
    max: 10,
    toml: 'auth.sms.otp_length',
    text: 'Digits of a code in a text message.',
  },
  smsOtpExpiry: {
    type: 'duration',
    default: 600_000,
    min: 1_000,
    max: 86_400_000,
    unit: 's',
    toml: 'auth.sms.otp_expiry',
    text: 'How long a code in a text message is good; a bare number is seconds.',
  },
  smsTestOtp: {
    type: 'list',
    pairs: true,
    default: [],
    toml: 'auth.sms.test_otp',
    text: 'Numbers that get no message and have a fixed code, as `4152127777=123456`: for tests and for reviewers of an app store.',
  },
} as const satisfies Readonly<Record<string, BooleanOption | DurationOption | IntegerOption | ListOption>>
