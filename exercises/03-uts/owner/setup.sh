case {{order}} in
user-then-uts) set -- unshare --user --map-root-user unshare --uts ;;
uts-then-user) set -- unshare --uts unshare --user --map-root-user ;;
esac
"$@" sleep {{seconds}} </dev/null >/dev/null 2>&1 &
