#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "doors/http/door_state.h"
#include "doors/http/op.h"
#include "wire/http1/request_parser.h"

namespace muster::http {

// One client's connection: its bytes, the requests that wait, the one that is worked on, and the
// one deadline that holds now.
//
//   idle -> head -> body -> (op | writing) -> idle ... closed
//
// Owned by the door; closed ones live to the end of the turn. Loop thread only. Bounds:
// pipeline_max waiting requests and the parser's limits; the Net bounds what is unsent.
//
// 1. Requests are answered in their order, one at a time.
// 2. After close() nothing is sent and no Op is called.
// 3. The session knows the connection from its first tell() on, and is told once that it closed.
class Connection final : public OpHost {
public:
    Connection(env::ConnId conn, std::string peer, DoorState& door);
    ~Connection() override = default;

    // ---- from the Net and the clock
    void on_bytes(std::string_view bytes);
    void on_drained();
    void on_deadline();
    void on_peer_closed();

    // Works on waiting requests until one has to wait.
    void run();

    // ---- from the session
    void on_reply(const msg::RequestReply& reply);
    void on_push(ListPush& push, std::span<const std::string_view> subscribers);
    void on_config(const msg::ConfigPush& push);
    void on_services(std::uint64_t token, const msg::ListServicesReply& reply);
    void on_config_put(std::uint64_t token, const Result<Version>& result);
    void on_cluster(std::uint64_t token, const ClusterAnswer& answer);
    void on_brake(std::uint64_t token, const BrakeOutcome& outcome);
    void on_verify(std::uint64_t token, const Result<verify::Report>& report);
    void on_propagation(std::uint64_t token, const Result<propagation::Report>& outcome);
    void on_marked(std::uint64_t token, const Result<propagation::DrainReport>& outcome);
    void on_history(std::uint64_t token, const Result<propagation::HistoryReport>& outcome);
    // The session wants no more of it.
    void on_session_closes();

    [[nodiscard]] bool is_closed() const {
        return phase_ == Phase::closed;
    }

    // ---- OpHost
    void tell(msg::ClientMessage message) override;
    void query_services(std::uint64_t token, msg::ListServices query) override;
    void put_config(std::uint64_t token, const Service& key,
                    std::optional<std::string> value) override;
    void ask_cluster(std::uint64_t token, msg::OperatorRequest::What what) override;
    void ask_brake(std::uint64_t token, BrakeWish wish) override;
    void ask_verify(std::uint64_t token) override;
    void ask_propagation(std::uint64_t token, propagation::Question wish) override;
    void ask_mark(std::uint64_t token, propagation::DrainWish wish) override;
    void ask_history(std::uint64_t token, propagation::HistoryQuestion question) override;
    std::uint64_t next_number() override;
    void set_deadline(Duration delay) override;
    void finish(http1::Response response) override;
    void begin_stream(const http1::Response& head) override;
    void send(std::string bytes) override;
    void send(SharedBytes bytes) override;
    [[nodiscard]] bool congested() const override;
    void give_up_slow_reader() override;

private:
    enum class Phase : std::uint8_t { idle, head, body, writing, op, closed };
    // A request, or why there will be no more.
    using Waiting = std::variant<http1::Request, Error>;

    void parse();
    void serve(http1::Request request);
    Result<Answer> route(http1::Request request, std::vector<std::string>& nearest,
                         std::string& allow);
    void start(std::unique_ptr<Op> op);
    template <typename Step>
    void with_op(Step step);
    void end_op();
    void respond(http1::Response response);
    void respond_and_close(const Error& error, int status);
    void count_answer(int status);
    void continue_if_awaited();
    void update_phase();
    void close();
    void forget();

    env::ConnId conn_;
    std::string peer_;
    DoorState& door_;
    http1::RequestParser parser_;
    std::deque<Waiting> waiting_;
    std::size_t waiting_bytes_ = 0;  // of their bodies
    bool input_over_ = false;        // no more requests are taken
    bool continued_ = false;         // the message under way was told to continue

    std::optional<Call> call_;  // what is worked on
    std::optional<std::size_t> route_;
    MonoTime began_;
    std::unique_ptr<Op> op_;
    bool finished_ = false;  // op_ gave its answer
    bool streaming_ = false;
    std::vector<std::uint64_t> tokens_;  // of op_

    Phase phase_ = Phase::closed;
    std::uint64_t messages_ = 0;       // parsed so far
    std::uint64_t phase_message_ = 0;  // messages_ when phase_ began
    bool known_to_session_ = false;
};

}  // namespace muster::http
