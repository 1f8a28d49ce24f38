package example;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A rasterd server for tests. It ends with {@link #close} or with this program; its log is shown with the tests'. */
final class RasterdServer implements AutoCloseable {
    private final Process process;
    private final String printed;
    private final HttpClient client;

    /** Starts the program in the variable RASTERD_BINARY, or `rasterd` on the path. */
    RasterdServer(String... options) throws IOException, GeneralSecurityException {
        String program = Objects.requireNonNullElse(System.getenv("RASTERD_BINARY"), "rasterd");
        List<String> command = new ArrayList<>(List.of(program, "serve", "--ephemeral"));
        command.addAll(List.of(options));
        process = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
        printed = process.inputReader().readLine();
        if (printed == null) {
            throw new IllegalStateException(program + " ended before it was ready; the reason is above.");
        }
        client = HttpClient.newBuilder().sslContext(trusting(Path.of(field(printed, "caFile")))).build();
    }

    /** A new organization with a library and keys, for one test. */
    Organization newOrganization() throws IOException, InterruptedException {
        return new Organization(control("POST", "/organizations", "{}"));
    }

    /** Orders something through the control endpoint, such as a fault or a reset, and returns the answer. */
    String control(String method, String path, String body) throws IOException, InterruptedException {
        String control = printed.substring(printed.indexOf("\"control\""));
        HttpRequest request = HttpRequest.newBuilder(URI.create(field(control, "url") + path))
                .header("Authorization", "Bearer " + field(control, "token"))
                .header("Content-Type", "application/json")
                .method(method, BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> answer = send(request);
        if (answer.statusCode() >= 300) {
            throw new IllegalStateException(path + " was refused with " + answer.statusCode() + ": " + answer.body());
        }
        return answer.body();
    }

    HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
        return client.send(request, BodyHandlers.ofString());
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
    }

    private static SSLContext trusting(Path authority) throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null);
        try (var file = Files.newInputStream(authority)) {
            trusted.setCertificateEntry("rasterd", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }

    /** The first text with this name. A project with a library for JSON parses it with that. */
    private static String field(String json, String name) {
        var found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        if (!found.find()) {
            throw new IllegalStateException("There is no " + name + " in " + json);
        }
        return found.group(1);
    }

    /** An organization that nobody else uses. */
    final class Organization {
        final String assetsUrl;
        private final String json;

        private Organization(String json) {
            this.json = json;
            String library = field(json.substring(json.indexOf("\"libraries\"")), "slug");
            String url = field(printed, "url") + "/organizations/" + field(json, "organization");
            assetsUrl = url + "/libraries/" + library + "/assets";
        }

        /** A request with the key that may `write`, `read` or do nothing (`none`). */
        HttpRequest.Builder request(String url, String access) {
            String key = field(json.substring(json.indexOf("\"keys\"")), access);
            return HttpRequest.newBuilder(URI.create(url))
                    .header("Authorization", "Bearer " + key)
                    .header("Api-Version", "2026-07-08");
        }

        /** The public id of a key, for faults. */
        String keyId(String access) {
            return field(json.substring(json.indexOf("\"keyIds\"")), access);
        }
    }
}
