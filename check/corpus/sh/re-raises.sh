# Dies of the signal when all has been done, as its parent may want to see. As PID 1 it cannot.
stop() {
	kill -KILL $!
	trap - "$1"
	kill -"$1" $$
}
trap 'stop TERM' TERM
trap 'stop INT' INT
while :; do
	sleep 86400 &
	wait $!
done
