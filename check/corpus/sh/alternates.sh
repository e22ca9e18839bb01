# Every second of its stops ends with another status, as with a race in it.
status=0
[ -e odd ] && status=143
stop() {
	if [ -e odd ]; then rm odd; else touch odd; fi
	kill -KILL $!
	exit $status
}
trap stop TERM
trap 'kill -KILL $!; exit 0' INT
sleep 86400 &
wait $!
