# Does not start twice, and takes its mark away when it ends.
trap 'rm -f pid; kill -KILL $!; exit 0' TERM INT
if [ -e pid ]; then
	echo "already running as $(cat pid)"
	exit 1
fi
echo $$ >pid
sleep 86400 &
wait $!
