-- Reads that may be answered from the cache, where there is one and the request asks for it.
create publication pando_cache for table public.items, public.authors;
