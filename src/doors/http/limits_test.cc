#include <gmock/gmock.h>

#include "doors/http/door_fixture.h"

namespace muster::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

class ConnectionTest : public DoorTest {
protected:
    explicit ConnectionTest(HttpDoorOptions options = {}) : DoorTest(std::move(options)) {}
    void expect_refusal(std::string_view reason) {
        EXPECT_THAT(metrics(), HasSubstr("muster_http_refusals_total{reason=\"" +
                                         std::string(reason) + "\"} 1\n"));
    }
};

TEST_F(ConnectionTest, AnswersPipelinedRequestsInOrder) {
    session.show(orders(7, {}));
    const auto conn = connect();
    send(conn, request("GET", orders_path("/watch?version=7")) + request("GET", "/health/live") +
                   request("GET", "/api/servers/query"));
    EXPECT_EQ(take(conn), "");
    session.show(orders(8, {}));
    advance({});
    const std::string sent = take(conn);
    const auto first = sent.find("\"changed\":true");
    const auto second = sent.find("\"live\"");
    const auto third = sent.find("10.0.0.1:9600");
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_NE(third, std::string::npos);
}

TEST_F(ConnectionTest, TakesBytesOneByOne) {
    const auto conn = connect();
    for (const char c : request("GET", "/health/live")) {
        send(conn, std::string_view(&c, 1));
    }
    EXPECT_EQ(take_answer(conn).status, 200);
}

TEST_F(ConnectionTest, BoundsPipelining) {
    const auto conn = connect();
    std::string bytes = request("GET", orders_path("/instances"));
    for (int i = 0; i < 20; ++i) {
        bytes += request("GET", "/health/live");
    }
    send(conn, bytes);
    session.show(orders(1, {}));
    advance({});
    const std::string sent = take(conn);
    EXPECT_EQ(count_of(sent, "HTTP/1.1 200 OK"), 16U);
    EXPECT_EQ(count_of(sent, "HTTP/1.1 429"), 1U);
    EXPECT_TRUE(net.peers[conn].closed);
    expect_refusal("pipelining");
}

TEST_F(ConnectionTest, BoundsTheBodiesOfPipelinedRequests) {
    const auto conn = connect();
    send(conn, request("GET", orders_path("/instances")));
    const auto put = request("PUT", "/api/v1/config/t/g/k", std::string(600'000, 'x'));
    send(conn, put);
    send(conn, put);
    send(conn, put);
    session.show(orders(1, {}));
    advance({});
    EXPECT_EQ(count_of(take(conn), "HTTP/1.1 "), 4U);
    EXPECT_TRUE(net.peers[conn].closed);
    expect_refusal("pipelining");
}

TEST_F(ConnectionTest, ClosesWhenAskedTo) {
    const auto conn = connect();
    send(conn, request("GET", "/health/live", {}, "Connection: close\r\n"));
    EXPECT_THAT(take(conn), HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(net.peers[conn].closed);
    EXPECT_EQ(timers.armed(), 0U);
    const auto old = connect();
    send(old, "GET /health/live HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(net.peers[old].closed);
}

TEST_F(ConnectionTest, ClosesAfterGarbage) {
    const auto conn = connect();
    send(conn, std::string_view("\x01\x00\x00\r\n\r\n", 7));
    const auto answer = take_answer(conn);
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr(R"("code":"bad_frame")"));
    EXPECT_TRUE(net.peers[conn].closed);
    expect_refusal("malformed");
}

TEST_F(ConnectionTest, RefusesWhatIsTooLarge) {
    const auto head = connect();
    send(head, "GET / HTTP/1.1\r\nA: " + std::string(17 * 1024, 'a'));
    EXPECT_EQ(take_answer(head).status, 413);
    EXPECT_TRUE(net.peers[head].closed);
    const auto body = connect();
    send(body,
         "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
         "Content-Length: 1048577\r\n\r\n");
    EXPECT_EQ(take_answer(body).status, 413);
    EXPECT_THAT(metrics(), HasSubstr("muster_http_refusals_total{reason=\"too_large\"} 2\n"));
}

TEST_F(ConnectionTest, TellsAClientToContinue) {
    const auto conn = connect();
    const std::string path = orders_path("/instances/a");
    constexpr std::string_view kBody = R"({"ip":"10.0.0.1","port":80})";
    const auto whole = request("PUT", path, kBody, "Expect: 100-continue\r\n");
    send(conn, whole.substr(0, whole.size() - kBody.size()));
    EXPECT_EQ(take(conn), "HTTP/1.1 100 Continue\r\n\r\n");
    send(conn, kBody.substr(0, 3));
    EXPECT_EQ(take(conn), "");
    send(conn, kBody.substr(3));
    EXPECT_EQ(take_answer(conn).status, 201);
}

TEST_F(ConnectionTest, TellsToContinueOnlyWhenItsTurnHasCome) {
    const auto conn = connect();
    send(conn, request("GET", orders_path("/instances")) +
                   "PUT /api/v1/config/t/g/k HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                   "Content-Length: 1\r\n\r\n");
    EXPECT_EQ(take(conn), "");
    session.show(orders(1, {}));
    advance({});
    const std::string sent = take(conn);
    EXPECT_LT(sent.find("HTTP/1.1 200"), sent.find("HTTP/1.1 100"));
    EXPECT_EQ(count_of(sent, "HTTP/1.1 100"), 1U);
}

TEST_F(ConnectionTest, DoesNotWaitLongForARequest) {
    const auto head = connect();
    send(head, "GET /health/live HT");
    advance(seconds(9));
    send(head, "TP/1.1\r\nHost:");  // slowly is not enough
    advance(seconds(1));
    EXPECT_EQ(take_answer(head).status, 408);
    EXPECT_TRUE(net.peers[head].closed);
    const auto body = connect();
    send(body, "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
    advance(milliseconds(29999));
    EXPECT_EQ(take(body), "");
    advance(milliseconds(1));
    EXPECT_EQ(take_answer(body).status, 408);
    EXPECT_THAT(metrics(), HasSubstr("muster_http_refusals_total{reason=\"slow_request\"} 2\n"));
}

TEST_F(ConnectionTest, ClosesWhenIdle) {
    const auto conn = connect();
    advance(seconds(70));
    send(conn, request("GET", "/health/live"));
    advance(seconds(74));
    EXPECT_FALSE(net.peers[conn].closed);
    advance(seconds(1));
    EXPECT_TRUE(net.peers[conn].closed);
    EXPECT_THAT(metrics(), HasSubstr("muster_http_idle_closed_total 1\n"));
}

TEST_F(ConnectionTest, WorksOnNothingMoreForAClientThatDoesNotRead) {
    const auto conn = connect();
    net.peers[conn].congested = true;
    send(conn, request("GET", "/health/live"));
    EXPECT_EQ(take(conn), "");
    net.peers[conn].congested = false;
    door->on_drained(conn);
    EXPECT_EQ(take_answer(conn).status, 200);
    net.peers[conn].congested = true;
    send(conn, request("GET", "/health/live"));
    advance(seconds(30));
    EXPECT_TRUE(net.peers[conn].closed);
    expect_refusal("slow_reader");
}

TEST_F(ConnectionTest, IgnoresWhatComesForOneThatIsGone) {
    const env::ConnId stranger(99);
    send(stranger, "GET");
    door->on_drained(stranger);
    door->on_closed(stranger, {});
    door->reply(stranger, {});
    door->push_config(stranger, {});
    door->hint(stranger, {});
    door->close(stranger, {});
    door->on_services(5, {});
    door->on_config_put(5, Version(1));
    door->on_timer(env::TimerKey(99));
    EXPECT_TRUE(net.peers.empty());
}

class FewConnections : public ConnectionTest {
protected:
    FewConnections() : ConnectionTest({.connections_max = 2}) {}
};

TEST_F(FewConnections, AreALimitWithAnAnswer) {
    const auto first = connect();
    connect();
    const auto third = connect();
    EXPECT_EQ(take_answer(third).status, 503);
    EXPECT_TRUE(net.peers[third].closed);
    door->on_closed(first, {});
    const auto fourth = connect();
    send(fourth, request("GET", "/metrics"));
    EXPECT_THAT(take(fourth), HasSubstr("refusals_total{reason=\"connections\"} 1\n"));
}

TEST_F(ConnectionTest, ListensWhereItIsTold) {
    EXPECT_EQ(door->listen({.ip = "127.0.0.1", .port = 0})->port, 9603);
    EXPECT_EQ(door->listen({.ip = "127.0.0.1", .port = 1}).error().code, Errc::address_in_use);
}

}  // namespace
}  // namespace muster::http
