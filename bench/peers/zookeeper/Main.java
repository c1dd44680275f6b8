package muster.peers;

import java.io.BufferedReader;
import java.io.InputStreamReader;

/** ZooKeeper's side of ./dev bench peers; bench/peers/README.md has its commands. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        String verb = arguments.length > 0 ? arguments[0] : "";
        int[] numbers = new int[Math.max(0, arguments.length - 1)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = Integer.parseInt(arguments[i + 1]);
        }
        if (verb.equals("tell") && numbers.length == 3) {
            tell(new Tell(numbers[0], numbers[1], numbers[2]));
        } else if (verb.equals("register") && numbers.length == 6) {
            Register register = new Register(
                    numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
            say("{\"prepared\":true}");
            BufferedReader commands = commands();
            while (commands.readLine() != null) {
                say(register.run());
            }
        } else {
            System.err.println("usage: tell PORT ENTRIES ENTRY_BYTES, or:"
                    + " register PORT CONNECTIONS FIRST REGISTRATIONS BATCH ENTRY_BYTES");
            System.exit(2);
        }
        System.exit(0);  // sessions end with the process; closing them politely is not measured
    }

    private static void tell(Tell tell) throws Exception {
        BufferedReader commands = commands();
        String line;
        while ((line = commands.readLine()) != null) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "prepare" -> tell.prepare();
                case "watch" -> tell.watch(Integer.parseInt(words[1]));
                case "change" -> tell.change(Integer.parseInt(words[1]));
                case "times" -> say(tell.times());
                default -> throw new IllegalArgumentException("unknown command: " + line);
            }
        }
    }

    private static BufferedReader commands() {
        return new BufferedReader(new InputStreamReader(System.in));
    }

    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    /** A provider's address and parameters in the name of its node, as Dubbo lists providers. */
    static String entry(int number, int bytes) {
        String name = "10.1." + number / 250 % 250 + "." + number % 250 + "%3A12200%3Fnumber%3D"
                + number + "%26";
        return name + "x".repeat(Math.max(0, bytes - name.length()));
    }
}
