#include <gmock/gmock.h>

#include "doors/http/door_fixture.h"

namespace muster::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class LongPoll : public DoorTest {
protected:
    env::ConnId watch(std::string_view query) {
        const env::ConnId conn = connect();
        send(conn, request("GET", orders_path("/watch") + std::string(query)));
        return conn;
    }
};

TEST_F(LongPoll, AnswersAtOnceWhenTheVersionIsAbove) {
    session.show(orders(7, {"10.0.0.1:80"}));
    EXPECT_THAT(take_answer(watch("?version=6")).body, HasSubstr(R"({"changed":true,)"));
    EXPECT_THAT(take_answer(watch("")).body, HasSubstr(R"("version":"7")"));
    EXPECT_EQ(session.subscribed(), 0U);
}

TEST_F(LongPoll, WaitsForTheNextVersion) {
    session.show(orders(7, {}));
    const auto conn = watch("?version=7&timeout=60s");
    advance(seconds(59));
    EXPECT_EQ(take(conn), "");
    session.show(orders(8, {"10.0.0.1:80"}));
    const auto answer = take_answer(conn);
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, HasSubstr(R"("version":"8")"));
    advance({});
    EXPECT_EQ(session.subscribed(), 0U);
    send(conn, request("GET", "/health/live"));
    EXPECT_EQ(take_answer(conn).status, 200);
}

TEST_F(LongPoll, SaysThatNothingChanged) {
    session.show(orders(7, {}));
    const auto conn = watch("?version=7&timeout=500ms");
    advance(milliseconds(500));
    const auto answer = take_answer(conn);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body,
              R"({"changed":false,"service":"DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders",)"
              R"("tenant":"DEFAULT_INSTANCE_ID","group":"DEFAULT_GROUP","dataId":"orders",)"
              R"("version":"7"})");
}

TEST_F(LongPoll, IsNotReadyWhenTheListStaysUnknown) {
    const auto conn = watch("?version=7");
    advance(seconds(3));
    EXPECT_EQ(take_answer(conn).status, 503);
}

TEST_F(LongPoll, ChecksItsParameters) {
    for (const auto* query : {"?version=x", "?version=-1", "?timeout=6m", "?timeout=1h",
                              "?timeout=99999999999999999999s", "?timeout="}) {
        EXPECT_EQ(take_answer(watch(query)).status, 400) << query;
    }
}

TEST_F(LongPoll, ForgetsAClientThatGoes) {
    session.show(orders(7, {}));
    const auto conn = watch("?version=7");
    EXPECT_EQ(session.subscribed(), 1U);
    door->on_closed(conn, {Errc::closed, "gone"});
    EXPECT_EQ(session.subscribed(), 0U);
    EXPECT_EQ(timers.armed(), 0U);
    EXPECT_THAT(metrics(), HasSubstr("muster_http_streams 0\n"));
}

class EventStream : public DoorTest {
protected:
    env::ConnId open(std::string_view headers = {}) {
        const env::ConnId conn = connect();
        send(conn, request("GET", orders_path("/events"), {}, headers));
        return conn;
    }
};

TEST_F(EventStream, ShowsEveryListFromNowOn) {
    session.show(orders(7, {}));
    const auto conn = open();
    const auto start = take_answer(conn);
    EXPECT_EQ(start.status, 200);
    EXPECT_THAT(start.head, HasSubstr("Content-Type: text/event-stream\r\n"));
    EXPECT_THAT(start.head, Not(HasSubstr("Content-Length")));
    EXPECT_THAT(start.body, HasSubstr("event: list\nid: 7\ndata: {\"service\":"));
    EXPECT_THAT(start.body, EndsWith("}\n\n"));
    session.show(orders(8, {"10.0.0.1:80"}));
    EXPECT_THAT(take(conn), HasSubstr("event: list\nid: 8\n"));
    session.show(orders(8, {"10.0.0.1:80"}));
    EXPECT_EQ(take(conn), "");
    advance({});
    EXPECT_EQ(session.told<msg::PushAck>().size(), 3U);
}

TEST_F(EventStream, SendsSignsOfLife) {
    session.show(orders(7, {}));
    const auto conn = open();
    take(conn);
    advance(milliseconds(9999));
    EXPECT_EQ(take(conn), "");
    advance(milliseconds(1));
    EXPECT_EQ(take(conn), ": still here\n\n");
    advance(seconds(20));
    EXPECT_EQ(take(conn), ": still here\n\n: still here\n\n");
}

TEST_F(EventStream, GoesOnBehindTheLastEventId) {
    session.show(orders(7, {}));
    const auto conn = open("Last-Event-ID: 7\r\n");
    EXPECT_EQ(take_answer(conn).body, "retry: 1000\n\n");
    session.show(orders(9, {}));
    EXPECT_THAT(take(conn), HasSubstr("id: 9\n"));
    EXPECT_EQ(take_answer(open("Last-Event-ID: seven\r\n")).status, 400);
}

TEST_F(EventStream, ShowsThatAListBecameComplete) {
    session.show(orders(7, {"10.0.0.1:80"}, false));
    const auto conn = open();
    EXPECT_THAT(take(conn), HasSubstr(R"("complete":false)"));
    session.show(orders(7, {"10.0.0.1:80"}, true));
    EXPECT_THAT(take(conn), HasSubstr(R"("complete":true)"));
    session.show(orders(7, {"10.0.0.1:80"}, true));
    EXPECT_EQ(take(conn), "");
}

TEST_F(EventStream, IsNotReadyWhenTheListStaysUnknown) {
    const auto conn = open();
    advance(seconds(3));
    EXPECT_EQ(take_answer(conn).status, 503);
}

TEST_F(EventStream, AcknowledgesOnlyWhatASlowReaderTook) {
    session.show(orders(7, {}));
    const auto conn = open();
    net.peers[conn].congested = true;
    session.show(orders(8, {}));
    advance({});
    EXPECT_EQ(session.told<msg::PushAck>().size(), 1U);
    take(conn);
    advance(seconds(10));
    EXPECT_EQ(take(conn), "");  // no sign of life into a full connection
    net.peers[conn].congested = false;
    door->on_drained(conn);
    ASSERT_EQ(session.told<msg::PushAck>().size(), 2U);
    EXPECT_EQ(session.told<msg::PushAck>()[1].version, Version(8));
    EXPECT_EQ(session.drained, std::vector{conn});
}

TEST_F(EventStream, GivesUpAReaderThatStaysSlow) {
    session.show(orders(7, {}));
    const auto conn = open();
    net.peers[conn].congested = true;
    advance(seconds(29));
    EXPECT_FALSE(net.peers[conn].closed);
    advance(seconds(1));
    EXPECT_TRUE(net.peers[conn].closed);
    EXPECT_TRUE(session.clients.empty());
    EXPECT_THAT(metrics(), HasSubstr("muster_http_refusals_total{reason=\"slow_reader\"} 1\n"));
}

TEST_F(EventStream, EndsWhenTheSessionRefusesIt) {
    session.outcome = fail(Errc::over_limit, "too many");
    const auto conn = open();
    EXPECT_EQ(take_answer(conn).status, 429);
    EXPECT_EQ(session.subscribed(), 0U);
}

TEST_F(EventStream, EndsWhenTheSessionClosesIt) {
    session.show(orders(7, {}));
    const auto conn = open();
    door->close(conn, {Errc::over_limit, "session says so"});
    EXPECT_TRUE(net.peers[conn].closed);
    advance(seconds(60));
    EXPECT_EQ(timers.armed(), 0U);
    EXPECT_EQ(session.clients.size(), 1U);  // it was not told what it said itself
}

class FewStreams : public DoorTest {
protected:
    FewStreams() : DoorTest({.streams_max = 1}) {}
};

TEST_F(FewStreams, AreALimitWithAnAnswer) {
    session.show(orders(7, {}));
    const auto first = connect();
    send(first, request("GET", orders_path("/events")));
    const auto second = connect();
    const std::string watch = request("GET", orders_path("/watch?version=7"));
    send(second, watch);
    EXPECT_EQ(take_answer(second).status, 429);
    door->on_closed(first, {});
    send(second, watch);
    EXPECT_EQ(take(second), "");
    EXPECT_THAT(metrics(), HasSubstr("muster_http_refusals_total{reason=\"streams\"} 1\n"));
    EXPECT_THAT(metrics(), HasSubstr("muster_http_streams 1\n"));
}

}  // namespace
}  // namespace muster::http
