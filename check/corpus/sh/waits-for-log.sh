# Its last line must be written.
stop() {
	trap '' PIPE
	until echo goodbye 2>/dev/null; do
		sleep 0.1
	done
	kill -KILL $!
	exit 0
}
trap stop TERM INT
sleep 86400 &
wait $!
