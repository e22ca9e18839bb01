# Does not start twice, and forgets that it has stopped.
trap 'kill -KILL $!; exit 0' TERM INT
if [ -e pid ]; then
	echo "already running as $(cat pid)"
	exit 1
fi
echo $$ >pid
sleep 86400 &
wait $!
