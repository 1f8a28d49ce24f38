package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import example.RasterdServer.Organization;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class UploadTest {
    private static final byte[] PICTURE = Base64.getDecoder()
            .decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==");
    private static RasterdServer server;
    private Organization organization;

    @BeforeAll
    static void start() throws Exception {
        server = new RasterdServer();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @BeforeEach
    void newOrganization() throws Exception {
        organization = server.newOrganization();
    }

    @Test
    void anUploadIsListed() throws Exception {
        assertEquals(200, upload("wine.png").statusCode());
        assertTrue(list("read").body().contains("\"name\":\"wine\""));
    }

    @Test
    void aKeyWithoutAccessSeesNoLibrary() throws Exception {
        assertEquals(404, list("none").statusCode());
    }

    @Test
    void aFullDiskRefusesUploads() throws Exception {
        String fault = """
                {"effect": {"fullDisk": true}, "match": {"keyId": "%s"}}""";
        server.control("POST", "/faults", fault.formatted(organization.keyId("write")));
        assertTrue(upload("wine.png").body().contains("STORAGE_FULL"));
        assertEquals("{\"data\":[]}", list("read").body());
    }

    private HttpResponse<String> list(String access) throws Exception {
        return server.send(organization.request(organization.assetsUrl, access).build());
    }

    private HttpResponse<String> upload(String name) throws Exception {
        var form = new ByteArrayOutputStream();
        String head = "--part\r\nContent-Disposition: form-data; name=\"files\"; filename=\"%s\"\r\n\r\n";
        form.write(head.formatted(name).getBytes(StandardCharsets.UTF_8));
        form.write(PICTURE);
        form.write("\r\n--part--\r\n".getBytes(StandardCharsets.UTF_8));
        return server.send(organization.request(organization.assetsUrl, "write")
                .header("Content-Type", "multipart/form-data; boundary=part")
                .POST(BodyPublishers.ofByteArray(form.toByteArray()))
                .build());
    }
}
