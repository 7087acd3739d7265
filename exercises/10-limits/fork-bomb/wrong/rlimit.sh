# says: RLIMIT_NPROC counts
sh -c 'ulimit -p {{max}} 2>/dev/null || ulimit -u {{max}}; exec sleep {{seconds}}' >/dev/null 2>&1 &
