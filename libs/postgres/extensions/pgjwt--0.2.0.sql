-- Tokens of RFC 7519 in the compact form of RFC 7515, signed with a shared secret. The bodies are parsed here, once, so
-- they mean the same under every search_path.

-- RFC 4648 section 5: without padding and line ends.
create function url_encode(data bytea) returns text
language sql immutable parallel safe
return pg_catalog.translate(pg_catalog.encode(data, 'base64'), E'+/=\n', '-_');

create function url_decode(data text) returns bytea
language sql immutable parallel safe
return pg_catalog.decode(
  pg_catalog.rpad(
    pg_catalog.translate(data, '-_', '+/'),
    -- Groups of four; what is too short to be one stays too short, and is refused.
    ((pg_catalog.length(data) + 3) / 4) * 4,
    '='
  ),
  'base64'
);

-- An algorithm that is none of the three ends in pgcrypto's "No such hash algorithm", with its name.
create function algorithm_sign(signables text, secret text, algorithm text) returns text
language sql immutable parallel safe
return url_encode(
  @extschema:pgcrypto@.hmac(
    signables,
    secret,
    case algorithm
      when 'HS256' then 'sha256'
      when 'HS384' then 'sha384'
      when 'HS512' then 'sha512'
      else 'of JWT ' || algorithm
    end
  )
);

create function sign(payload json, secret text, algorithm text default 'HS256') returns text
language sql immutable parallel safe
begin atomic
  select signables || '.' || algorithm_sign(signables, secret, algorithm)
  from (
    select
      url_encode(pg_catalog.convert_to('{"alg":"' || algorithm || '","typ":"JWT"}', 'utf8'))
        || '.'
        || url_encode(pg_catalog.convert_to(payload::text, 'utf8')) as signables
  ) as token;
end;

-- `valid`: the signature is the one that this secret and this algorithm make, whatever the header says, and now is neither
-- before `nbf` nor at or after `exp`; a time that is no number is never right, and neither is a token with a piece missing.
-- A piece that is not JSON is an error.
create function verify(token text, secret text, algorithm text default 'HS256')
returns table (header json, payload json, valid boolean)
language sql stable parallel safe
begin atomic
  select
    decoded.header,
    decoded.payload,
    coalesce(
      signature = algorithm_sign(signables, secret, algorithm)
        and case
          when decoded.payload ->> 'nbf' is null then true
          when not pg_catalog.pg_input_is_valid(decoded.payload ->> 'nbf', 'double precision') then false
          else pg_catalog.to_timestamp((decoded.payload ->> 'nbf')::double precision) <= pg_catalog.now()
        end
        and case
          when decoded.payload ->> 'exp' is null then true
          when not pg_catalog.pg_input_is_valid(decoded.payload ->> 'exp', 'double precision') then false
          else pg_catalog.to_timestamp((decoded.payload ->> 'exp')::double precision) > pg_catalog.now()
        end,
      false
    )
  from
    (select pg_catalog.string_to_array(token, '.') as parts) as split,
    lateral (
      select
        pg_catalog.convert_from(url_decode(parts[1]), 'utf8')::json as header,
        pg_catalog.convert_from(url_decode(parts[2]), 'utf8')::json as payload,
        parts[1] || '.' || parts[2] as signables,
        pg_catalog.array_to_string(parts[3:], '.') as signature
    ) as decoded;
end;
