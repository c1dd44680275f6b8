#include <fstream>
#include <iterator>
#include <set>

#include <gmock/gmock.h>

#include "doors/http/door_fixture.h"
#include "doors/http/errors.h"
#include "doors/http/openapi.h"

namespace muster::http {
namespace {

using testing::HasSubstr;
using testing::Not;

class Routes : public DoorTest {};

TEST_F(Routes, TellJavaClientsTheServers) {
    const auto answer = ask(
        "GET", "/api/servers/query?instanceId=null&zone=100%&dataCenter=X&appName=a+b&env=null");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "10.0.0.1:9600;10.0.0.2:9600");
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: text/plain\r\n"));
    EXPECT_THAT(answer.head, Not(HasSubstr("Content-Encoding")));
    EXPECT_EQ(ask("GET", "/api/servers/queryWithWeight?zone=A").body,
              "10.0.0.1:9600?weight=7;10.0.0.2:9600?weight=2147483647");
}

TEST_F(Routes, AnswerHealth) {
    EXPECT_EQ(ask("GET", "/health/live").body, R"({"status":"live"})");
    EXPECT_EQ(ask("GET", "/health/ready").body,
              R"({"status":"ready","settled":true,"reasons":[]})");
    session.state = {};
    const auto answer = ask("GET", "/health/ready");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body,
              R"({"status":"not_ready","settled":false,"reasons":["no slot table is known yet: )"
              R"(no meta server has answered"]})");
    EXPECT_EQ(ask("GET", "/health/live").status, 200);
}

TEST_F(Routes, TellMetricsOfAllSources) {
    ask("GET", "/nowhere");
    const auto text = metrics();
    EXPECT_THAT(text, HasSubstr("# TYPE muster_http_refusals_total counter"));
    EXPECT_THAT(text, HasSubstr("muster_http_refusals_total{reason=\"unknown_route\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("muster_http_request_seconds_bucket{le=\"+Inf\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes "));
    EXPECT_THAT(text, HasSubstr("process_open_fds "));
    EXPECT_THAT(text, HasSubstr("process_cpu_seconds_total "));
    EXPECT_THAT(text, HasSubstr("process_start_time_seconds "));
    const std::string start = text.substr(text.find("\nprocess_start_time_seconds "));
    const std::string later = metrics();
    EXPECT_THAT(later, HasSubstr(start.substr(0, start.find('\n', 1)))) << "it does not move";
    EXPECT_THAT(later, HasSubstr("muster_http_answers_total{method=\"GET\",route=\"/metrics\","
                                 "status=\"2xx\"} 1\n"));
}

TEST_F(Routes, TellTheStatus) {
    session.state.suspects = 3;
    session.state.braking = true;
    session.state.damped = 2;
    EXPECT_EQ(ask("GET", "/api/v1/status").body,
              R"({"ready":true,"settled":true,"center":"DefaultDataCenter",)"
              R"("servers":["10.0.0.1:9600","10.0.0.2:9600"],"connections":7,"publications":0,)"
              R"("suspects":3,"braking":true,"damped":2,)"
              R"("subscriptions":0,"watches":0,"services_cached":0,"unacknowledged_writes":0,)"
              R"("slot_table_epoch":"0"})");
}

TEST_F(Routes, ListServicesPageByPage) {
    const auto answer = ask("GET", "/api/v1/services?contains=a%2Fb&after=x&limit=5");
    EXPECT_EQ(answer.body,
              R"({"services":[{"service":"t/g/a/b","tenant":"t","group":"g","dataId":"a/b",)"
              R"("data_info_id":"a/b#@#t#@#g","instances":2,"version":"9"}],"more":true,)"
              R"("complete":true,"next":"a/b#@#t#@#g"})");
    ASSERT_EQ(session.queries.size(), 1U);
    EXPECT_EQ(session.queries[0].contains, "a/b");
    EXPECT_EQ(session.queries[0].after, "x");
    EXPECT_EQ(session.queries[0].limit, 5U);
    for (const auto* limit : {"0", "1001", "x", "", "-1"}) {
        EXPECT_EQ(ask("GET", std::string("/api/v1/services?limit=") + limit).status, 400) << limit;
    }
}

TEST_F(Routes, SayWhenTheDataServersDoNotAnswer) {
    session.answers = false;
    const env::ConnId conn = connect();
    send(conn, request("GET", "/api/v1/services"));
    EXPECT_EQ(take(conn), "");
    advance(std::chrono::seconds(5));
    EXPECT_EQ(take_answer(conn).status, 504);
    // The late answer of the first query is not taken for that of the second.
    send(conn, request("GET", "/api/v1/services"));
    door->on_services(1, {});
    EXPECT_EQ(take(conn), "");
}

TEST_F(Routes, TellSubscribers) {
    const auto by_path = ask("GET", orders_path("/subscribers"));
    EXPECT_THAT(by_path.body,
                HasSubstr(R"("subscribers":[{"id":"s1","client_address":"10.0.0.9:1",)"
                          R"("door":"bolt","app":"shop","scope":"zone","zone":"A",)"
                          R"("acknowledged":"4","behind":false}])"));
    EXPECT_EQ(ask("GET", "/api/v1/subscribers?service=orders").body, by_path.body);
    EXPECT_THAT(ask("GET", "/api/v1/subscribers?service=none").body, HasSubstr("[]"));
    EXPECT_EQ(ask("GET", "/api/v1/subscribers").status, 400);
}

TEST_F(Routes, TellWhatFlaps) {
    EXPECT_EQ(ask("GET", "/api/v1/flapping").body, R"({"flapping":[],"damped":0})");
    session.state.damped = 2;
    for (const char* id : {"p", "q"}) {
        session.flapping_now.push_back({.id = RegistId(id),
                                        .service = interned({.data_id = "orders"}),
                                        .instance = "10.0.0.1:80",
                                        .client_address = "10.0.0.1:4711",
                                        .flips = 12,
                                        .held = std::chrono::seconds(9),
                                        .left = std::chrono::seconds(21)});
    }
    EXPECT_EQ(ask("GET", "/api/v1/flapping?limit=1").body,
              R"({"flapping":[{"service":"DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders",)"
              R"("instance":"10.0.0.1:80","id":"p","client_address":"10.0.0.1:4711","flips":12,)"
              R"("held_ms":9000,"left_ms":21000}],"damped":2})");
    EXPECT_THAT(ask("GET", "/api/v1/flapping").body, HasSubstr(R"("id":"q")"));
    for (const auto* limit : {"0", "1001", "x"}) {
        EXPECT_EQ(ask("GET", std::string("/api/v1/flapping?limit=") + limit).status, 400) << limit;
    }
}

TEST_F(Routes, KeepConfigurationValues) {
    const std::string path = "/api/v1/config/t/g/a%2Fb";
    EXPECT_EQ(ask("GET", path).status, 404);
    EXPECT_EQ(ask("PUT", path, "{\"x\": 1}").body,
              R"({"tenant":"t","group":"g","key":"a/b","version":"6"})");
    EXPECT_EQ(ask("GET", path).body,
              R"({"tenant":"t","group":"g","key":"a/b","version":"5","value":"{\"x\": 1}"})");
    EXPECT_EQ(ask("DELETE", path).status, 200);
    EXPECT_EQ(ask("GET", path).status, 404);
    EXPECT_EQ(session.told<msg::UnwatchConfig>().size(), 3U);
    EXPECT_EQ(ask("PUT", path, std::string(256 * 1024 + 1, 'x')).status, 413);
}

TEST_F(Routes, SayWhenConfigurationIsOutOfReach) {
    const std::string path = "/api/v1/config/t/g/k";
    session.outcome = fail(Errc::unavailable, "no meta server");
    const auto answer = ask("PUT", path, "v");
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.head, HasSubstr("Retry-After: 1\r\n"));
    session.answers = false;
    for (const auto& [method, status, wait] :
         {std::tuple{"GET", 503, 3}, std::tuple{"PUT", 504, 5}, std::tuple{"DELETE", 504, 5}}) {
        const env::ConnId conn = connect();
        send(conn, request(method, path, "v"));
        advance(std::chrono::seconds(wait));
        EXPECT_EQ(take_answer(conn).status, status) << method;
    }
}

TEST_F(Routes, AnswerHeadLikeGetWithoutBody) {
    const auto answer = ask("HEAD", "/health/live");
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.head, HasSubstr("Content-Length: 17\r\n"));
    EXPECT_EQ(answer.body, "");
    session.show(orders(3, {}));
    EXPECT_EQ(ask("HEAD", orders_path("/instances")).status, 200);
    EXPECT_EQ(ask("HEAD", orders_path("/events")).status, 405);
}

TEST_F(Routes, NameTheNearestOnes) {
    const auto answer = ask("GET", "/api/v1/service/t/g/d/instances");
    EXPECT_EQ(answer.status, 404);
    EXPECT_THAT(answer.body, HasSubstr(R"("code":"unknown_route")"));
    EXPECT_THAT(
        answer.body,
        HasSubstr(R"("nearest":["GET /api/v1/services/{tenant}/{group}/{dataId}/instances",)"));
    EXPECT_EQ(ask("GET", "/").status, 404);
    EXPECT_EQ(ask("GET", "/api/v1/services///x/instances").status, 404);
}

TEST_F(Routes, NameTheMethodsThatAreKnown) {
    const auto answer = ask("PATCH", "/api/v1/instances/a?service=orders");
    EXPECT_EQ(answer.status, 405);
    EXPECT_THAT(answer.head, HasSubstr("Allow: PUT, DELETE\r\n"));
    EXPECT_THAT(answer.body, HasSubstr(R"("code":"method_not_allowed")"));
    EXPECT_THAT(ask("POST", "/metrics").head, HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(Routes, RefuseBrokenEscapes) {
    EXPECT_EQ(ask("GET", "/api/v1/%zz").status, 400);
    EXPECT_EQ(ask("GET", "/api/v1/instances?service=%4").status, 400);
    EXPECT_EQ(ask("OPTIONS", "*").status, 400);
}

TEST_F(Routes, AreThoseOfTheOpenApiFileAndNoOthers) {
    std::set<std::string> in_file;
    std::string path;
    std::string_view yaml = openapi_yaml();
    while (!yaml.empty()) {
        const std::string_view line = yaml.substr(0, yaml.find('\n'));
        yaml.remove_prefix(std::min(yaml.size(), line.size() + 1));
        if (line == "components:") {
            break;
        }
        if (line.starts_with("  /") && line.ends_with(":")) {
            path = line.substr(2, line.size() - 3);
        }
        for (const auto* method : {"GET", "PUT", "POST", "DELETE"}) {
            std::string key = method;
            std::ranges::transform(key, key.begin(),
                                   [](char c) { return static_cast<char>(c - 'A' + 'a'); });
            if (line == "    " + key + ":") {
                in_file.insert(std::string(method) + " " + path);
            }
        }
    }
    std::set<std::string> in_code;
    for (const Route& route : door->router().routes()) {
        in_code.insert(route.method + " " + route.path);
        EXPECT_FALSE(route.help.empty());
    }
    EXPECT_EQ(in_file, in_code);
    EXPECT_EQ(ask("GET", "/api/v1/openapi.yaml").body, openapi_yaml());
}

TEST(ErrorsPage, IsFresh) {
    std::ifstream file(std::string(MUSTER_SOURCE_ROOT) + "/docs/reference/http_errors.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    if (page != http_errors_page()) {
        const std::string fresh = testing::TempDir() + "http_errors.md";
        std::ofstream(fresh) << http_errors_page();
        ADD_FAILURE() << "copy " << fresh << " to docs/reference/";
    }
}

TEST(ErrorsPage, HasAnActionForEveryCode) {
#define X(name, ...) EXPECT_TRUE(action_of(Errc::name).ends_with("."));
    MUSTER_ERRC_LIST(X)
#undef X
}

}  // namespace
}  // namespace muster::http
