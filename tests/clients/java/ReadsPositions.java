import org.openapitools.client.ApiClient;
import org.openapitools.client.api.ChangesApi;
import org.openapitools.client.model.UserChange;

/** Reads changes with the generated client, and prints their positions. */
public final class ReadsPositions {
    public static void main(String[] changes) throws Exception {
        for (String each : changes) {
            UserChange change =
                    ApiClient.createDefaultObjectMapper().readValue(each, UserChange.class);
            System.out.println(change.getPosition());
        }
    }

    /** Is compiled only: each request has a token, and a position is what the stream goes on after. */
    static String goOnAfter(UserChange change, String token) throws Exception {
        ApiClient client = new ApiClient();
        client.setRequestInterceptor(each -> each.header("Authorization", "Bearer " + token));
        return new ChangesApi(client).streamChanges(change.getPosition(), null);
    }
}
