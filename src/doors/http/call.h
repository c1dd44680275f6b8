#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "doors/http/op.h"
#include "env/clock.h"
#include "env/net.h"
#include "model/service.h"
#include "model/subscription.h"
#include "roles/session/client_face.h"
#include "roles/session/query_face.h"
#include "wire/http1/message.h"
#include "wire/http1/target.h"

namespace muster::http {

class LeaseTable;
using PathParams = std::vector<std::pair<std::string, std::string>>;
using MetricsSource = std::function<void(MetricsWriter&)>;
// Says why the process should not be sent clients now; none: it is fine.
using ReadinessCheck = std::function<std::optional<std::string>()>;

// One request on its way to a handler. Lives as long as its connection works on it.
struct Call {
    env::ConnId conn;
    std::string peer;  // "ip:port"
    http1::Request request;
    PathParams params;
    http1::Query query;

    // Requires: the route has a parameter of that name.
    [[nodiscard]] const std::string& param(std::string_view name) const;

    // From {tenant}/{group}/{dataId} of the path, or from ?service=. Errors: invalid_argument.
    [[nodiscard]] Result<ServicePtr> service() const;

    // Of the service it names in either way, or of its path; empty: of none.
    [[nodiscard]] std::string tenant() const;

    // From ?scope= and ?zone=. Errors: invalid_argument.
    struct View {
        Scope scope = Scope::data_center;
        std::string zone;
    };
    [[nodiscard]] Result<View> view() const;

    // From ?by=: what who asks calls himself; empty: not told. Errors: invalid_argument.
    [[nodiscard]] Result<std::string> asked_by() const;

    // A number of [low, high] from the query. Errors: invalid_argument.
    [[nodiscard]] Result<std::uint64_t> number(std::string_view name, std::uint64_t fallback,
                                               std::uint64_t low, std::uint64_t high) const;

    // "30s", "500ms", "2m", "6h" or "30" (seconds), up to `high`. Errors: invalid_argument.
    [[nodiscard]] Result<Duration> duration(std::string_view name, Duration fallback,
                                            Duration high) const;
};

// What handlers work on.
struct Site {
    const session::ClientFace& clients;
    const session::QueryFace& queries;
    const env::Clock& clock;
    LeaseTable& leases;
    const std::vector<MetricsSource>& metrics;
    const std::vector<ReadinessCheck>& readiness;
    Duration list_wait{};  // how long a list that is not known yet is waited for
};

// An answer at once, or the several steps that lead to one.
using Answer = std::variant<http1::Response, std::unique_ptr<Op>>;
using Handler = Result<Answer> (*)(const Call&, Site&);

[[nodiscard]] http1::Response json_response(std::string body, int status = 200);

}  // namespace muster::http
