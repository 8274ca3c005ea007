-- Whoever signs up has a profile, in the same transaction: an app never meets a person without one. The app may send
-- `handle` and `full_name` along (`options.data` of signUp); what is wrong or taken there must not cost anybody the account.
create function public.create_profile() returns trigger
  language plpgsql
  security definer
  set search_path = ''
as $$
declare
  wish text := coalesce(new.raw_user_meta_data ->> 'handle', split_part(new.email, '@', 1), 'guest');
  letters text := left(regexp_replace(lower(wish), '[^a-z0-9_]', '_', 'g'), 20);
  base text := rpad(letters, greatest(3, length(letters)), '_');
  chosen text := base;
begin
  loop
    insert into public.profiles (id, handle, full_name)
    values (new.id, chosen, coalesce(nullif(new.raw_user_meta_data ->> 'full_name', ''), 'Somebody'))
    on conflict on constraint profiles_handle_key do nothing;
    exit when found;
    chosen := left(base, 13) || '_' || substr(md5(gen_random_uuid()::text), 1, 6);
  end loop;
  return new;
end
$$;

create trigger create_profile after insert on auth.users
  for each row execute function public.create_profile();

-- Guests (anonymous sign-in) plan trips of their own; what others read needs an account. Restrictive: it is asked as well.
create policy "guests do not post" on public.posts as restrictive for insert
  with check ((select auth.jwt() ->> 'is_anonymous')::boolean is not true);

-- `pando users make-admin` writes the role; it is in the person's tokens, and nobody can give it to themselves.
create policy "admins read all posts" on public.posts for select
  using ((select auth.jwt() -> 'app_metadata' ->> 'role') = 'admin');
create policy "admins remove posts" on public.posts for delete
  using ((select auth.jwt() -> 'app_metadata' ->> 'role') = 'admin');
