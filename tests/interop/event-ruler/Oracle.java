// SPDX-License-Identifier: Apache-2.0
// Reads {"pattern": "...", "events": ["...", ...]} lines; writes "invalid WHY" or one m (match) or n for each event.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;

public class Oracle {
    public static void main(String[] args) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode one = mapper.readTree(line);
            out.println(verdict(one.get("pattern").asText(), one.get("events")));
        }
        out.flush();
    }

    private static String verdict(String pattern, JsonNode events) throws Exception {
        String why = JsonRuleCompiler.check(pattern);
        if (why != null) {
            return "invalid " + why.replace('\n', ' ');
        }
        Machine machine = new Machine();
        machine.addRule("rule", pattern);
        StringBuilder verdicts = new StringBuilder();
        for (JsonNode event : events) {
            verdicts.append(machine.rulesForJSONEvent(event.asText()).isEmpty() ? 'n' : 'm');
        }
        return verdicts.toString();
    }
}
