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

    /** Is compiled only: a position is what the stream goes on after. */
    static String goOnAfter(UserChange change) throws Exception {
        return new ChangesApi().streamChanges(change.getPosition(), null);
    }
}
