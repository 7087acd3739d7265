cutaway stop ex{{seconds}} >/dev/null 2>&1 || true
