#!/bin/sh
cygwin=false
darwin=false
case "`uname`" in
CYGWIN*) cygwin=true;;
Darwin*) darwin=true;;
esac
PRG="$0"
while [ -h "$PRG" ]; do
  ls=`ls -ld "$PRG"`
  link=`expr "$ls" : '.*-> \(.*\)$'`
  if expr "$link" : '/.*' > /dev/null; then
    PRG="$link"
  else
    PRG=`dirname "$PRG"`/"$link"
  fi
done
PRGDIR=`dirname "$PRG"`
[ -z "$CATALINA_HOME" ] && CATALINA_HOME=`cd "$PRGDIR/.." >/dev/null; pwd`
CLASSPATH=
if [ -r "$CATALINA_HOME/bin/setenv.sh" ]; then
  . "$CATALINA_HOME/bin/setenv.sh"
fi
if $cygwin; then
  CATALINA_HOME=`cygpath --unix "$CATALINA_HOME"`
fi
if [ -r "$CATALINA_HOME"/bin/setclasspath.sh ]; then
  . "$CATALINA_HOME"/bin/setclasspath.sh
else
  echo "Cannot find setclasspath.sh"
  exit 1
fi
have_tty=0
if [ -t 0 ]; then
    have_tty=1
fi
if [ "$USE_NOHUP" = "true" ]; then
    _NOHUP="nohup"
fi
if [ "$1" = "run" ]; then
  shift
  eval exec "\"$_RUNJAVA\"" "\"$LOGGING_CONFIG\"" $JAVA_OPTS \
    -classpath "\"$CLASSPATH\"" org.apache.catalina.startup.Bootstrap "$@" start
elif [ "$1" = "start" ]; then
  if [ -f "$CATALINA_PID" ]; then
    PID=`cat "$CATALINA_PID"`
    ps -p $PID >/dev/null 2>&1
    rm -f "$CATALINA_PID"
  fi
  touch "$CATALINA_OUT"
  eval $_NOHUP "\"$_RUNJAVA\"" $JAVA_OPTS org.apache.catalina.startup.Bootstrap "$@" start \
    >> "$CATALINA_OUT" 2>&1 "&"
fi
