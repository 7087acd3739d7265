# says: somebody has to call sethostname in it
unshare --uts sleep {{seconds}} &
